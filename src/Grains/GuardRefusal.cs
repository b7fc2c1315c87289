namespace Resources.Grains;

/// <summary>What a caller is told whose append a guard has refused.</summary>
public static class GuardRefusal
{
    public static Rejection NotUnique(Claim claim) =>
        new(
            Refusal.NotUnique,
            "Another resource of this type has this value already.",
            Array.ConvertAll(claim.Pointers, pointer => new Fault(
                pointer,
                FaultCode.NotUnique,
                "The value must be unique among resources of the type."
            )),
            Change: claim.Change
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
            ],
            Change: reference.Change
        );

    public static Rejection StillReferenced(Referrers referrers) =>
        new(
            Refusal.StillReferenced,
            referrers.Count is 1
                ? "Another resource refers to this one."
                : $"{referrers.Count} other resources refer to this one.",
            Referrers: referrers
        );

    public static readonly Rejection TooManyReferrers = new(
        Refusal.TooManyReferrers,
        "More resources would have to go with this one than can go at once. Delete some of them first."
    );
}
