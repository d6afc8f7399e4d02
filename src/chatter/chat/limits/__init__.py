"""What one user or one address may request of a chat."""
