import gc

from ansible.inventory.host import Host


def deferred(_):
    """How many of all hosts have variables that nobody has looked at. A worker sees what the process has that it comes from."""
    kinds = [type(one) for one in gc.get_objects() if isinstance(one, Host)]
    return '%d of %d' % (len([kind for kind in kinds if kind is not Host]), len(kinds))


class FilterModule:
    def filters(self):
        return {'deferred': deferred}
