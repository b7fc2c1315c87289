using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using Resources.Grains;

namespace Resources.Api;

/// <summary>
/// A request's JSON body, strictly read: its bytes, its document (null when it has faults) and its media type.
/// </summary>
public sealed class RequestBody : IDisposable
{
    /// <summary>The media types of merge patches, wherever PATCH takes them.</summary>
    public static readonly string[] MergePatches = ["application/merge-patch+json", "application/json"];

    RequestBody(byte[] bytes, JsonDocument? document, string mediaType)
    {
        Bytes = bytes;
        Document = document;
        MediaType = mediaType;
    }

    public byte[] Bytes { get; }

    public JsonDocument? Document { get; }

    public string MediaType { get; }

    /// <summary>Whether a request has a body, where it need not.</summary>
    public static bool IsIn(HttpContext context) =>
        context.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: true };

    /// <summary>
    /// Reads the body. A media type that is not among <paramref name="mediaTypes"/> yields null: the answer is 415.
    /// </summary>
    public static async Task<RequestBody?> ReadAsync(
        HttpContext context,
        List<Fault> faults,
        params string[] mediaTypes
    )
    {
        var request = context.Request;
        if (request.Headers.ContentEncoding.Count > 0 || Match(request.ContentType, mediaTypes) is not { } mediaType)
            return null;
        var bytes = await ReadAllAsync(request, context.RequestAborted);
        return new(bytes, StrictJson.Read(bytes, faults), mediaType);
    }

    /// <summary>
    /// Reads a JSON body, for PATCH a merge patch, and passes it to the handler. A faulty body is refused.
    /// </summary>
    /// <param name="read">Reads the document; collects faults.</param>
    public static async Task<Answer> TakeAsync<T>(
        HttpContext context,
        Func<JsonElement, List<Fault>, T> read,
        Func<T, Task<Answer>> handle
    )
    {
        var faults = new List<Fault>();
        var mediaTypes = context.Request.Method is "PATCH" ? MergePatches : ["application/json"];
        using var body = await ReadAsync(context, faults, mediaTypes);
        if (body is null)
            return Answer.UnsupportedMediaType(context.Request.Method, mediaTypes);
        var asked = body.Document is { } document ? read(document.RootElement, faults) : default;
        return faults is [] ? await handle(asked!) : Answer.Invalid(faults);
    }

    /// <summary>Reads a JSON body whose only member is a text, and passes the text to the handler.</summary>
    public static Task<Answer> TakeAsync(
        HttpContext context,
        string name,
        int max,
        Func<string, Task<Answer>> handle
    ) =>
        TakeAsync(
            context,
            (body, faults) =>
            {
                var reader = new ObjectReader(body, faults);
                var text = reader.Text(name, 1, max);
                reader.RefuseOthers();
                return text!;
            },
            handle
        );

    /// <summary>Reads a JSON body and goes on with what it says; a body that is faulty is answered.</summary>
    /// <param name="read">Reads the document; collects faults.</param>
    public static async Task TakeAsync<T>(
        HttpContext context,
        Func<JsonElement, List<Fault>, T> read,
        Func<T, Task> handle
    )
    {
        var faults = new List<Fault>();
        using var body = await ReadAsync(context, faults, "application/json");
        if (body is null)
        {
            await RefuseMediaTypeAsync(context, "application/json");
            return;
        }
        var asked = body.Document is { } document ? read(document.RootElement, faults) : default;
        if (faults is not [])
            await Problems.InvalidAsync(context, faults);
        else
            await handle(asked!);
    }

    /// <summary>Answers 415 and names what is taken.</summary>
    public static Task RefuseMediaTypeAsync(HttpContext context, params string[] mediaTypes)
    {
        context.Response.Headers[context.Request.Method is "PATCH" ? "Accept-Patch" : "Accept-Post"] = string.Join(
            ", ",
            mediaTypes
        );
        return Problems.WriteAsync(
            context,
            ProblemType.UnsupportedMediaType,
            $"Send {string.Join(" or ", mediaTypes)} in UTF-8, without a content coding."
        );
    }

    public void Dispose() => Document?.Dispose();

    static string? Match(string? contentType, string[] mediaTypes)
    {
        if (contentType is null)
            return null;
        foreach (var known in mediaTypes)
            if (contentType.Equals(known, StringComparison.OrdinalIgnoreCase))
                return known;
        if (!MediaTypeHeaderValue.TryParse(contentType, out var parsed))
            return null;
        if (
            parsed.Charset.HasValue
            && !HeaderUtilities.RemoveQuotes(parsed.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)
        )
            return null;
        return mediaTypes.FirstOrDefault(known => parsed.MediaType.Equals(known, StringComparison.OrdinalIgnoreCase));
    }

    static async ValueTask<byte[]> ReadAllAsync(HttpRequest request, CancellationToken ct)
    {
        var reader = request.BodyReader;
        while (true)
        {
            var result = await ReadAsync(reader, ct);
            if (result.IsCompleted)
            {
                var bytes = result.Buffer.ToArray();
                reader.AdvanceTo(result.Buffer.End);
                return bytes;
            }
            reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    static async ValueTask<ReadResult> ReadAsync(PipeReader reader, CancellationToken ct)
    {
        try
        {
            return await reader.ReadAsync(ct);
        }
        catch (IOException e) when (e is not BadHttpRequestException)
        {
            // Chunks with impossible sizes are told so, and connections that break in a body.
            throw new BadHttpRequestException("The body is not valid HTTP.", StatusCodes.Status400BadRequest, e);
        }
    }
}
