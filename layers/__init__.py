"""What things are and what is required: checked tables, their files, the planning standards, gaps and findings."""
