"""The solution under the reader's name: a variant that wins every claim."""

from flights.variants import SOLUTION, VARIANTS

solution = VARIANTS[SOLUTION]
asked, path, pipeline = solution.asked, solution.path, solution.pipeline
