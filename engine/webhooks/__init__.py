"""Webhooks by the Standard Webhooks specification: endpoints, and messages on their way to them.

- What travels is thin: which course, which record, what kind of message. Whoever may see more asks.
- At least once, and for each course in order: a message waits until the one before it was delivered
  or given up.
- Nothing is sent to an address that is not public, unless the installation names its network.
"""
