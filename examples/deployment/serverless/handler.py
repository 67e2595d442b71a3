"""The same service behind a function's gateway: the platform switches, and keeps the old one until it is done."""

from apig_wsgi import make_lambda_handler
from config.wsgi import application

handler = make_lambda_handler(application)
