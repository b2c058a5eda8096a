"""The effect of uncertain inputs on the answer, and the value of knowing them."""
