# This service on one Docker host. `terraform apply` alone would be `recreate`: the old container is
# destroyed before the new one is made. It makes the host; releases are the supervisor's business.
terraform {
  required_version = ">= 1.6"
  required_providers {
    docker = {
      source  = "kreuzwerker/docker"
      version = "~> 3.6"
    }
  }
}

variable "image" {
  description = "The image with its digest: a tag may mean something else tomorrow."
  type        = string
  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image has to end with @sha256: and its digest."
  }
}

variable "secrets" {
  description = "Folder on the host with secret_key and database_url; their values are in no state file."
  type        = string
  default     = "/etc/flights/secrets"
}

resource "docker_image" "flights" {
  name = var.image
}

resource "docker_container" "flights" {
  name                  = "flights"
  image                 = docker_image.flights.image_id
  restart               = "unless-stopped"
  read_only             = true
  command               = ["python", "manage.py", "supervise"]
  destroy_grace_seconds = 30
  wait                  = true # until its health check says so
  env = [
    "HOST=0.0.0.0",
    "PORT=8001",
    "STATE_FOLDER=/state",
    "SECRET_KEY_FILE=/run/secrets/secret_key",
    "DATABASE_URL_FILE=/run/secrets/database_url",
  ]
  tmpfs = { "/tmp" = "" }

  ports {
    internal = 8001
    external = 8001
    ip       = "127.0.0.1"
  }
  volumes {
    host_path      = var.secrets
    container_path = "/run/secrets"
    read_only      = true
  }
  volumes {
    volume_name    = "flights-state" # which release is live; it outlives the container
    container_path = "/state"
  }
  healthcheck {
    test     = ["CMD", "python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8001/healthz')"]
    interval = "2s"
    retries  = 15
  }
}
