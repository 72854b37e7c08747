"""Scripts to run; also imported by the tests and benchmarks."""
