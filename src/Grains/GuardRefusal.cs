namespace Resources.Grains;

/// <summary>What a caller is told whose append a guard has refused.</summary>
public static class GuardRefusal
{
    /// <param name="pointers">The members that make up the value.</param>
    public static Rejection NotUnique(string[] pointers) =>
        new(
            Refusal.NotUnique,
            "Another resource of this type has this value already.",
            Array.ConvertAll(pointers, pointer => new Fault(
                pointer,
                FaultCode.NotUnique,
                "The value must be unique among resources of the type."
            ))
        );

    public static Rejection ReferenceNotFound(Reference reference) =>
        new(
            Refusal.ReferenceNotFound,
            "A resource that is referred to is not there.",
            [
                new(
                    reference.Pointer,
                    FaultCode.ReferenceNotFound,
                    $"There is no resource of the type '{reference.Type}' with this id."
                ),
            ]
        );

    public static Rejection StillReferenced(Referrers referrers) =>
        new(
            Refusal.StillReferenced,
            referrers.Count is 1
                ? "Another resource refers to this one."
                : $"{referrers.Count} other resources refer to this one.",
            Referrers: referrers
        );
}
