"""Core: Singer tap for Salesforce Cases and what is needed to match them."""
