"""What a model sees: one code for training, backtest and serving."""
