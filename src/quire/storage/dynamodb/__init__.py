"""The DynamoDB engine: any number of servers on two tables. Needs the extra `aws`; opened by quire.storage.urls."""
