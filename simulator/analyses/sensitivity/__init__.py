"""Which inputs move the answer, and what it would be worth to know them."""
