namespace Resources.Grains;

/// <summary>An open session with its account.</summary>
[GenerateSerializer, Immutable, Alias("open-session")]
public sealed record OpenSession(Session Session, Account Account, long AccountVersion);
