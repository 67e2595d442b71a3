"""The solution under the reader's name: a variant that wins every claim."""

from reports.variants import durable, is_working

ask, health = durable, is_working
