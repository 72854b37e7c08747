"""Model inversion: what do the inputs of a class look like, according to the model?"""
