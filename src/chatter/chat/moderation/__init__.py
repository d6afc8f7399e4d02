"""What moderators and the operator decide: who may do what, and what was reported."""
