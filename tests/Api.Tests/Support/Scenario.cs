namespace Resources.Api.Tests;

/// <summary>Who sends a request.</summary>
public enum Who
{
    Guest,
    User,
    Admin,
}

/// <summary>
/// A row of a table: one request and everything that follows from it. In paths, <c>{id}</c> is the row's own resource.
/// </summary>
public sealed record Scenario(string Name, string Method, string Path, int Status)
{
    public Who As { get; init; } = Who.Admin;

    public Given Given { get; init; } = Given.Live;

    public string? Body { get; init; }

    public string ContentType { get; init; } = "application/json";

    public (string Name, string Value)[] Headers { get; init; } = [];

    /// <summary>The code of a refusal.</summary>
    public string? Code { get; init; }

    /// <summary>The pointers of a refusal's faults.</summary>
    public string[]? Faults { get; init; }

    /// <summary>Headers of the answer; null = must not be there.</summary>
    public (string Name, string? Value)[] Answers { get; init; } = [];

    /// <summary>Members of the answer's body by pointer; null = must not be there.</summary>
    public (string Pointer, string? Value)[] Has { get; init; } = [];

    /// <summary>The events that the request appends to the row's resource; none unless given.</summary>
    public string[] Appends { get; init; } = [];

    public override string ToString() => Name;

    /// <summary>The same request by someone who may not send it.</summary>
    public Scenario Refused(Who who) =>
        this with
        {
            Name = $"{Name}, {who}",
            As = who,
            Status = who is Who.Guest ? 401 : 403,
            Code =
                Method is "HEAD" ? null
                : who is Who.Guest ? "UNAUTHENTICATED"
                : "FORBIDDEN",
            Faults = null,
            Answers = [("ETag", null), ("Position", null)],
            Has = [("/data", null)],
            Appends = [],
        };

    /// <summary>Sends it and checks everything the row says.</summary>
    public async Task RunAsync(Backend backend)
    {
        var sample = await backend.CreateAsync(Given);
        var before = await backend.EventsAsync(sample.Id);
        var caller = As switch
        {
            Who.Guest => backend.Guest,
            Who.User => backend.User,
            _ => backend.Admin,
        };

        var answer = await caller.SendAsync(
            Method,
            Path.Replace("{id}", sample.Id.ToString(), StringComparison.Ordinal),
            Body,
            ContentType,
            Headers
        );

        Assert.True(Status == answer.Status, $"Expected {Status}, was {answer}");
        Assert.Equal(Code, answer.Code);
        if (Faults is not null)
            Assert.Equal(Faults, answer.Faults);
        foreach (var (name, value) in Answers)
            Assert.True(value == answer[name], $"{name} should be {value ?? "absent"}: {answer}");
        foreach (var (pointer, value) in Has)
            Assert.True(value == answer.Text(pointer), $"{pointer} should be {value ?? "absent"}: {answer}");
        var after = await backend.EventsAsync(sample.Id);
        Assert.Equal([.. before, .. Appends], after);
    }
}
