"""The same service as a function behind a gateway: the platform switches, and drains the old one."""

from apig_wsgi import make_lambda_handler
from config.wsgi import application

handler = make_lambda_handler(application)
