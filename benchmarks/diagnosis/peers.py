"""placeholder"""
def judge_all(results, work): return {}
