# Makes the hosts of any ansible-core other than those of today.
from ansible.inventory.host import Host

before = Host.__init__


def init(self, *args, **kwargs):
    before(self, *args, **kwargs)
    self.elsewhere = {}


Host.__init__ = init
