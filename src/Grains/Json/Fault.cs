using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Orleans;

namespace Resources.Grains;

/// <summary>One fault of the input.</summary>
/// <param name="Pointer">A JSON Pointer (RFC 6901) into the body; "" is the whole body.</param>
/// <param name="Code">One of <see cref="FaultCode"/>, stable.</param>
/// <param name="Detail">A sentence for people. It never repeats what was sent.</param>
/// <param name="Position">
/// Where in the text of a parameter, in characters before it; null where that says nothing.
/// </param>
[GenerateSerializer, Immutable, Alias("fault")]
public sealed record Fault(
    string Pointer,
    [property: RegularExpression("^[A-Z0-9_]+$")] string Code,
    string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Position = null
);

/// <summary>The codes of faults in a body: part of the contract with clients.</summary>
public static class FaultCode
{
    public const string InvalidJson = "INVALID_JSON";
    public const string InvalidUtf8 = "INVALID_UTF8";
    public const string TooDeep = "TOO_DEEP";
    public const string DuplicateMember = "DUPLICATE_MEMBER";
    public const string NulCharacter = "NUL_CHARACTER";
    public const string LoneSurrogate = "LONE_SURROGATE";
    public const string NumberOutOfRange = "NUMBER_OUT_OF_RANGE";

    public const string Required = "REQUIRED";
    public const string NullNotAllowed = "NULL_NOT_ALLOWED";
    public const string WrongType = "WRONG_TYPE";
    public const string TooShort = "TOO_SHORT";
    public const string TooLong = "TOO_LONG";
    public const string InvalidSlug = "INVALID_SLUG";
    public const string UnknownMember = "UNKNOWN_MEMBER";

    public const string TooManyOperations = "TOO_MANY_OPERATIONS";
    public const string UnknownOperation = "UNKNOWN_OPERATION";
    public const string InvalidPointer = "INVALID_POINTER";
    public const string PathNotFound = "PATH_NOT_FOUND";
    public const string MoveIntoItself = "MOVE_INTO_ITSELF";
    public const string RootRemoved = "ROOT_REMOVED";
    public const string TooLarge = "TOO_LARGE";
}

/// <summary>Collects faults up to a bound, so that a hostile body cannot make a large answer.</summary>
public static class FaultList
{
    /// <summary>More faults than this are not reported.</summary>
    public const int Most = 100;

    /// <summary>Adds a fault unless the list is full.</summary>
    public static void Report(this List<Fault> faults, string pointer, string code, string detail, int? position = null)
    {
        if (faults.Count < Most)
            faults.Add(new Fault(pointer, code, detail, position));
    }
}
