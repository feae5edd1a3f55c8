"""`make partners`: the platform as its partners load it, by one definition, with their own limits as thresholds.

`scenarios/` is the definition. k6 runs it (`k6.js`) where it is on the PATH, and `generator.py` where it is not; both
give samples, and `verdicts.py` judges them.
"""
