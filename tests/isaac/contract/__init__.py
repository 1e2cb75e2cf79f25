"""Checks against the real Isaac Lab sources; test_contract.py runs each file in a process of its own.

Their stand-ins for Kit would otherwise reach other tests. To run one alone:

    pytest -p tests.isaac.contract.kit tests/isaac/contract/check_environment.py
"""
