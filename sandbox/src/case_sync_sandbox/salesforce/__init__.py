"""Core: the Salesforce half of the sandbox."""
