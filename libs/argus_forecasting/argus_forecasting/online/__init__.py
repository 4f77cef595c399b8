"""What is learned from the truth while forecasts serve: bands that keep their word, models that must stay better."""
