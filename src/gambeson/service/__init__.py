"""Use-cases: a command value in, a result out. Interfaces parse and render; everything else is here or below."""
