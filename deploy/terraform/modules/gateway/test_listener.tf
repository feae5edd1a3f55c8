# Blue/green: a listener of the new tasks alone, which clients cannot reach. ECS moves it first, then asks the hooks, then moves the clients.

resource "aws_lb_listener" "test" {
  count             = local.blue_green ? 1 : 0
  load_balancer_arn = aws_lb.this.arn
  port              = var.test_port
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn

  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      message_body = "No deployment is under way."
      status_code  = "503"
    }
  }
}

# ECS changes the weights while it deploys: Terraform leaves them alone.
resource "aws_lb_listener_rule" "test" {
  count        = length(aws_lb_listener.test)
  listener_arn = aws_lb_listener.test[0].arn
  priority     = 100

  action {
    type = "forward"
    forward {
      dynamic "target_group" {
        for_each = aws_lb_target_group.this
        content {
          arn    = target_group.value.arn
          weight = target_group.key == "green" ? 100 : 0
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
