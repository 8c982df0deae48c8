# Tries to find what an earlier run left in shared modules.
import builtins, sys, random, trio

left = [module for module in (builtins, sys, random, trio) if hasattr(module, "left_behind")]
if left:
    print("ESCAPED", left)
builtins.left_behind = sys.left_behind = random.left_behind = trio.left_behind = True
