namespace Resources.Api;

/// <summary>The parameters of requests about types, as the reference shows them.</summary>
static class TypeParameters
{
    /// <summary>How long a change is waited for, in seconds.</summary>
    public const int StandardWait = 10;
    public const int MaxWait = 60;

    public static readonly Parameter Type = Parameter.Slug("type", "The name of the type.", "bicycle");

    public static readonly Parameter Rule = Parameter.Slug("rule", "The name of a unique rule of one member.", "frame");

    public static readonly Parameter Value = Parameter.Text("value", "The value of the member.", "WBK-1234", 1024);

    public static readonly Parameter Version = Parameter.LongNumber(
        "version",
        "Returns the type as it was at this version.",
        example: 1,
        min: 1
    );

    public static readonly Parameter DryRun = Parameter.Flag(
        "dryRun",
        "Reports what the change would find among stored resources, and changes nothing."
    );

    public static readonly Parameter Wait = Parameter.Number(
        "wait",
        "How many seconds to wait while stored resources are checked. After that the response is 202.",
        StandardWait,
        min: 0,
        MaxWait
    );

    public static readonly Parameter After = Parameter.LongNumber(
        "after",
        "Returns the events after this version of the type.",
        example: 1,
        min: 0
    );
}
