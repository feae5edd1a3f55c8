"""What a scraper reads: the metrics, by the parser of Prometheus' own client."""

from prometheus_client.parser import text_string_to_metric_families


class Metrics:
    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels."""
        found = [
            sample.value for sample in self.samples if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert found, f"no sample {name} {labels}"
        return sum(found)

    def counters(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Every value that must never go back."""
        kinds = {"counter", "histogram"}
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in self.families.values()
            if family.type in kinds
            for sample in family.samples
        }
