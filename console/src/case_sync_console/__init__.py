"""Core: the console of the Salesforce case to HubSpot ticket sync."""
