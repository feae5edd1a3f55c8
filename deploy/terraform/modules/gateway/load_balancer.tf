# Clients reach the gateway through a load balancer, by HTTPS alone.

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_20:nothing listens on port 80: a redirect would come after a client has already sent its token in the clear
  #checkov:skip=CKV2_AWS_28:the module edge puts a firewall in front where `waf_enabled`
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.public_subnet_ids
  security_groups            = [var.security_group_ids["load_balancer"]]
  idle_timeout               = var.idle_timeout_s
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  enable_deletion_protection = var.deletion_protection

  access_logs {
    bucket  = var.log_bucket
    prefix  = "load-balancer"
    enabled = true
  }
}

# Blue/green moves clients from one group to the other. Rolling uses the first alone.
resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:TLS of clients ends at the load balancer; from there to the tasks the traffic stays within the VPC, between two security groups
  for_each             = var.deployment == "blue_green" ? toset(["blue", "green"]) : toset(["blue"])
  name                 = "${var.name}-${each.key}"
  vpc_id               = var.vpc_id
  target_type          = "ip"
  port                 = var.gateway_port
  protocol             = "HTTP"
  deregistration_delay = var.deregistration_delay_s

  # New tasks get more requests step by step: their workers have neither connections nor learned keys yet.
  slow_start                    = 30
  load_balancing_algorithm_type = "round_robin"

  health_check {
    port                = tostring(var.admin_port)
    path                = "/readyz"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
}

locals {
  # Blue/green has a second listener, of the new tasks alone, which clients cannot reach. ECS moves it first, then asks the hooks, then moves the clients.
  listeners = merge(
    { clients = { port = 443, group = "blue", otherwise = "There is no gateway here yet." } },
    local.blue_green ? { test = { port = var.test_port, group = "green", otherwise = "No deployment is under way." } } : {},
  )
}

resource "aws_lb_listener" "this" {
  for_each          = local.listeners
  load_balancer_arn = aws_lb.this.arn
  port              = each.value.port
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = each.value.otherwise
      status_code  = "503"
    }
  }
}

# ECS changes the weights while it deploys: Terraform leaves them alone.
resource "aws_lb_listener_rule" "this" {
  for_each     = local.listeners
  listener_arn = aws_lb_listener.this[each.key].arn
  priority     = 100

  action {
    type = "forward"
    forward {
      dynamic "target_group" {
        for_each = aws_lb_target_group.this
        content {
          arn    = target_group.value.arn
          weight = target_group.key == each.value.group ? 100 : 0
        }
      }
    }
  }

  condition {
    path_pattern {
      values = ["/*"]
    }
  }

  lifecycle {
    ignore_changes = [action]
  }
}

moved {
  from = aws_lb_listener.https
  to   = aws_lb_listener.this["clients"]
}

moved {
  from = aws_lb_listener_rule.gateway
  to   = aws_lb_listener_rule.this["clients"]
}
