"""How a version of the gateway gets to its clients: the road, the deployment, and the verdict over it.

`verdict` and `road` decide and do no IO. `deployment` drives a production that it is given: that of `proof/rehearsal`
on this machine, or that of `ecs` on AWS. Both are judged by the same code.
"""
