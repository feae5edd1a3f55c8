# What a task is: one container, not root, whose file system cannot be written; with a store on a volume, one folder can.

data "aws_caller_identity" "here" {}
data "aws_partition" "here" {}
data "aws_region" "here" {}

locals {
  user = "65532" # the image's own: deploy/image/Dockerfile
  home = "/var/lib/shardgate"
  urls = {
    for name, shard in var.shards :
    name => coalesce(shard.url, "http://${name}.${local.namespace}:${coalesce(shard.port, 80)}")
  }
  # The password is no part of the URL: libpq reads PGPASSWORD, which ECS takes out of Secrets Manager.
  stores = {
    none   = null
    volume = "${local.home}/store.db"
    database = try(format(
      "postgresql://%s@%s:%d/%s?sslmode=verify-full&sslrootcert=%s",
      var.database.user, var.database.address, var.database.port, var.database.database, var.database.ca_file
    ), null)
  }
  environment = merge(
    {
      SHARDGATE_SHARDS                   = join(",", [for name, url in local.urls : "${name}=${url}"])
      SHARDGATE_LISTEN                   = "0.0.0.0:${var.gateway_port}"
      SHARDGATE_ADMIN                    = "0.0.0.0:${var.admin_port}"
      SHARDGATE_WORKERS                  = tostring(max(1, floor(var.task.cpu / 1024)))
      SHARDGATE_TRUSTED_PROXIES          = join(",", [for subnet in data.aws_subnet.public : subnet.cidr_block])
      SHARDGATE_TIMEOUTS_DRAIN_DELAY_S   = tostring(var.drain.delay_s)
      SHARDGATE_TIMEOUTS_DRAIN_TIMEOUT_S = tostring(var.drain.timeout_s)
      SHARDGATE_ACCESS_LOG               = "stdout"
      SHARDGATE_LOG_FORMAT               = "json"
      TMPDIR                             = "/dev/shm" # memory: the lock of the counted calls is a file without content
    },
    var.store == "none" ? {} : { SHARDGATE_STORE = local.stores[var.store] },
    var.environment,
  )
}

data "aws_subnet" "public" {
  for_each = { for index, id in var.public_subnet_ids : index => id }
  id       = each.value
}

resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = tostring(var.task.cpu)
  memory                   = tostring(var.task.memory)
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  track_latest             = false

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  container_definitions = jsonencode([{
    name                   = "gateway"
    image                  = var.image
    essential              = true
    user                   = "${local.user}:${local.user}"
    readonlyRootFilesystem = true
    privileged             = false
    linuxParameters        = { capabilities = { drop = ["ALL"] }, initProcessEnabled = false }
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    stopTimeout            = var.stop_timeout_s
    portMappings = [
      { name = "requests", containerPort = var.gateway_port, hostPort = var.gateway_port, protocol = "tcp" },
      { name = "admin", containerPort = var.admin_port, hostPort = var.admin_port, protocol = "tcp" },
    ]
    environment = [for name, value in local.environment : { name = name, value = value }]
    secrets     = [for name, arn in var.secrets : { name = name, valueFrom = arn }]
    # Without a volume nothing can be written: a configuration that names a file as its store does not start, and is taken back.
    mountPoints = var.store == "volume" ? [{ sourceVolume = "state", containerPath = local.home, readOnly = false }] : []
    volumesFrom = []

    # Alive, not ready: a task that waits for its shards is not killed for that. The load balancer asks /readyz.
    healthCheck = {
      command     = ["CMD", "/opt/shardgate/bin/python", "-m", "shardgate.process.health"]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }

    # Lines are dropped rather than requests held up, should CloudWatch be slow.
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = var.log_group_name
        awslogs-region        = data.aws_region.here.region
        awslogs-stream-prefix = "gateway"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  }])

  dynamic "volume" {
    for_each = aws_efs_access_point.state
    content {
      name = "state"
      efs_volume_configuration {
        file_system_id     = aws_efs_file_system.state[0].id
        transit_encryption = "ENABLED"
        authorization_config {
          access_point_id = volume.value.id
          iam             = "ENABLED"
        }
      }
    }
  }
}
