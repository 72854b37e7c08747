"""Training whose outcome says little of any one record: differential privacy."""
