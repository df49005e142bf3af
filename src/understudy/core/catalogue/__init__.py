"""What is known of models before any request: profiles, and which models are the same elsewhere."""
