"""What can be told from the words of a prompt alone: its traits as numbers, and what a trained model makes of them."""
