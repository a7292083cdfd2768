# `run((name, argument, count), ...)` executes bytecode as it is; the first instruction of a real function stays in front.
import dis
def _frame(): pass
def run(*instructions, **changes):
    body = bytes(_frame.__code__.co_code[:2])
    for name, argument, count in instructions:
        body += bytes([dis.opmap[name], argument]) * count
    exec(_frame.__code__.replace(co_code=body + bytes([dis.opmap['RETURN_VALUE'], 0]), **changes))
