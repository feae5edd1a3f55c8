"""A shop with Django REST framework, as its tutorial makes one."""
