"""Core: A local Salesforce and HubSpot over real HTTP, to rehearse and test the case to ticket sync."""
