"""What the commands of people answer and record."""
