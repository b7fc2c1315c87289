namespace Resources.Grains;

/// <summary>Holds decisions about resources to the rules of their type.</summary>
static class ResourceRules
{
    /// <summary>
    /// A decision, if the type allows it: then under the guards that keep it true. What the type refuses, it refuses after
    /// everything that is wrong with the command itself.
    /// </summary>
    public static Decision<ResourceEvent> Hold(
        Guid id,
        Resource? state,
        Decision<ResourceEvent> decision,
        DecisionContext context,
        TypeRules rules,
        bool isDeletion
    )
    {
        if (decision.Events is [])
            return decision;
        var after = state;
        for (var i = 0; i < decision.Events.Length; i++)
        {
            decision.Events[i] = decision.Events[i] with { TypeVersion = rules.Version };
            after = Resource.Evolve(
                after,
                new(decision.Events[i], context.Version + i + 1, 0, context.Now, context.Intent.Actor)
            );
        }
        if (rules.Refuse(id, state, after!) is { } refusal)
            return Refused(refusal, rules);
        return rules.GuardsOf(state, after!, unreferenced: isDeletion) is { } guards
            ? decision.Under(guards)
            : Refused(
                Resource.Invalid(
                    new Fault(
                        "/metadata",
                        "TOO_MANY_REFERENCES",
                        $"With a change of the type that is being checked, there are more than {Guards.MaxReferences} references."
                    )
                ),
                rules
            );
    }

    /// <summary>Nobody is refused by rules that are no longer in force: the fence is compared before.</summary>
    static Decision<ResourceEvent> Refused(Rejection rejection, TypeRules rules) =>
        ((Decision<ResourceEvent>)rejection).Under(new(rules.Fence, [], [], false));
}
