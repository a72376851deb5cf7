"""Fetches what DNS and cryptography say of the author, as `Evidence`; it judges nothing.

The judge is `gateway.core.know.proof`.
"""
