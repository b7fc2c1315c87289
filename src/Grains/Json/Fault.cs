using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Orleans;

namespace Resources.Grains;

/// <summary>One fault of the input.</summary>
/// <param name="Pointer">A JSON Pointer (RFC 6901) into the body; "" is the whole body.</param>
/// <param name="Code">One of <see cref="FaultCode"/>, stable.</param>
/// <param name="Detail">A sentence for people. It never repeats the input.</param>
/// <param name="Position">
/// The offset in the text of a parameter, in characters; null where it has no meaning.
/// </param>
[GenerateSerializer, Immutable, Alias("fault")]
public sealed record Fault(
    string Pointer,
    [property: RegularExpression("^[A-Z0-9_]+$")] string Code,
    string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Position = null
);
