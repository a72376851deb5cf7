"""Mail comes in by SMTP or LMTP and leaves as an envelope and bytes; this room does not know that
tickets exist.
"""
