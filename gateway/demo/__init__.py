"""A small world on loopback in which the real daemon can be watched: domains, customers, forgers,
a smarthost."""
