"""What happens without a person: landings, runs taken up again, nodes that return or report."""
