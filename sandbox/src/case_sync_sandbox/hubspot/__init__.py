"""Core: the HubSpot half of the sandbox."""
