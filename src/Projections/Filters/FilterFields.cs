using System.Globalization;
using Resources.Grains;

namespace Resources.Projections;

/// <summary>
/// The fields that a filter can name, and what may be asked of each. Faults are noted and the reading goes on, so that
/// all of them are told at once; what is answered after a fault is not used.
/// </summary>
sealed class FilterFields(FilterFaults faults)
{
    const int MaxEcho = 64;
    const int MaxNumberLength = 40;

    static readonly Dictionary<string, ResourceField> Names = new(StringComparer.Ordinal)
    {
        ["id"] = ResourceField.Id,
        ["type"] = ResourceField.Type,
        ["name"] = ResourceField.Name,
        ["status"] = ResourceField.Status,
        ["owner"] = ResourceField.Owner,
        ["version"] = ResourceField.Version,
        ["createdAt"] = ResourceField.CreatedAt,
        ["createdBy"] = ResourceField.CreatedBy,
        ["updatedAt"] = ResourceField.UpdatedAt,
        ["updatedBy"] = ResourceField.UpdatedBy,
        ["deletedAt"] = ResourceField.DeletedAt,
    };

    static readonly Filter Unused = new Filter.FieldPresent(ResourceField.Id);

    /// <summary>How many conditions were read: one for each value compared and for each word searched.</summary>
    public int Conditions { get; private set; }

    /// <summary>What a path means that is compared with nothing.</summary>
    public Filter Bare(FilterPath path)
    {
        if (path.Steps.Count > 1 && (path.Steps[0] is "metadata" || Names.ContainsKey(path.Steps[0])))
            return Fail(
                path.At,
                "A comparison is expected after a field; to ask whether a member is there, write ':*' behind its path."
            );
        if (path.Raw[0] is '!')
            return Fail(path.At, "A condition is negated by NOT or by '-'.");
        return Words(
            path.Quoted ?? path.Raw,
            path.At,
            nameOnly: false,
            path.Quoted is not null,
            "There is no word here to search for; a text in quotes is searched for by its words too."
        );
    }

    /// <summary>What each value behind a path and a comparator means.</summary>
    public Func<FilterArgument, Filter> Comparison(FilterPath path, Comparator comparator, int comparatorAt)
    {
        if (path.Steps[0] is "metadata")
            return path.Steps.Count is 1 ? Member(comparator, comparatorAt) : Metadata(path, comparator);
        if (!Names.TryGetValue(path.Steps[0], out var field))
            Fail(
                path.At,
                $"There is no field '{Echo(path.Steps[0])}'; the fields are {string.Join(", ", Names.Keys)} and the "
                    + "members of metadata, as in metadata.price."
            );
        else if (path.Steps.Count > 1)
            Fail(path.At, $"The field '{path.Steps[0]}' has no members.");
        else if (
            field is ResourceField.Id
            && comparator is not (Comparator.Equal or Comparator.NotEqual or Comparator.Has)
        )
            Fail(comparatorAt, "Ids have no order; they are compared by '=' and '!='.");
        else
            return argument => Field(field, comparator, argument);
        return _ => Count(Unused);
    }

    Filter Field(ResourceField field, Comparator comparator, FilterArgument argument)
    {
        if (comparator is Comparator.Has && argument.IsStar)
            return Count(new Filter.FieldPresent(field));
        if (comparator is Comparator.Has && field is ResourceField.Name)
            return Words(
                argument.Text.Literal,
                argument.At,
                nameOnly: true,
                argument.Quoted,
                "The operator ':' looks for words in the name, and this text has none; '=' compares the whole name."
            );

        var literal = argument.Text.Literal;
        FilterValue? value = field switch
        {
            ResourceField.Id => Guid.TryParseExact(literal, "D", out var id) && id.ToString("D") == literal
                ? new FilterValue.Id(id)
                : null,
            ResourceField.Version => !argument.Quoted
            && long.TryParse(literal, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? new FilterValue.Whole(number)
                : null,
            ResourceField.CreatedAt or ResourceField.UpdatedAt or ResourceField.DeletedAt => Rfc3339.TryParse(
                literal,
                out var time
            )
                ? new FilterValue.Time(
                    new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero)
                )
                : null,
            _ => AsText(argument, comparator),
        };
        if (value is not null)
            return Count(new Filter.Field(field, comparator is Comparator.Has ? Comparator.Equal : comparator, value));
        return Fail(
            argument.At,
            field switch
            {
                ResourceField.Id => "An id is a UUID in lower case, such as 01890a5d-ac96-774b-bcce-b302099a8057.",
                ResourceField.Version => "A version is a whole number in plain digits and without quotes, such as 3.",
                _ =>
                    "A time is given as in RFC 3339, such as 2026-01-31T12:00:00Z; in an address the '+' of an offset is written %2B.",
            }
        );
    }

    Func<FilterArgument, Filter> Member(Comparator comparator, int comparatorAt)
    {
        if (comparator is Comparator.Has)
            return argument =>
                Count(new Filter.MetadataPresent(argument.IsStar ? "" : JsonPointer.Append("", argument.Text.Literal)));
        Fail(
            comparatorAt,
            "The metadata as a whole is only asked for a member, as in metadata:price; the members are compared by "
                + "their paths, as in metadata.price = 5."
        );
        return _ => Count(Unused);
    }

    Func<FilterArgument, Filter> Metadata(FilterPath path, Comparator comparator)
    {
        // A body, of which the metadata is a member, is never deeper; and deeper paths would cost the database stack.
        if (path.Steps.Count > StrictJson.MaxDepth)
        {
            Fail(path.At, $"A path has at most {StrictJson.MaxDepth} steps.");
            return _ => Count(Unused);
        }
        var pointer = path.Steps.Skip(1).Aggregate("", JsonPointer.Append);
        return argument =>
        {
            if (comparator is Comparator.Has && argument.IsStar)
                return Count(new Filter.MetadataPresent(pointer));
            return Scalar(argument, comparator) is { } value
                ? Count(new Filter.Metadata(pointer, comparator, value))
                : Count(Unused);
        };
    }

    /// <summary>The value of JSON that an argument denotes by its spelling; null after a fault.</summary>
    FilterValue? Scalar(FilterArgument argument, Comparator comparator)
    {
        if (argument.Quoted)
            return AsText(argument, comparator);
        var text = argument.Text.Pattern;
        if (text is "true" or "false" or "null")
        {
            if (comparator is Comparator.Equal or Comparator.NotEqual or Comparator.Has)
                return text is "null" ? new FilterValue.Null() : new FilterValue.Truth(text is "true");
            faults.Add(
                argument.At,
                "Only numbers and texts have an order; a text that is spelled like true, false or null stands in double quotes."
            );
            return null;
        }
        if (!NumberText.IsNumber(text))
            return AsText(argument, comparator);
        if (text.Length <= MaxNumberLength && NumberText.Survives(text))
            return new FilterValue.Number(text);
        faults.Add(
            argument.At,
            $"A number has at most {MaxNumberLength} characters, and is a double in its shortest form or a decimal of "
                + "at most 28 digits; a text stands in double quotes."
        );
        return null;
    }

    /// <summary>There are wildcards in equalities; in an order an asterisk is a character like others.</summary>
    static FilterValue.Text AsText(FilterArgument argument, Comparator comparator) =>
        comparator is Comparator.Equal or Comparator.NotEqual or Comparator.Has
            ? argument.Text
            : FilterValue.Text.Of(argument.Text.Literal);

    Filter Words(string text, int at, bool nameOnly, bool isQuoted, string whenNone)
    {
        if (Filter.Search.Of(text, nameOnly, isQuoted) is not { } search)
            return Fail(at, whenNone);
        Conditions += search.Words.Count;
        return search;
    }

    Filter Count(Filter condition)
    {
        Conditions++;
        return condition;
    }

    Filter Fail(int at, string detail)
    {
        faults.Add(at, detail);
        return Unused;
    }

    /// <summary>A name as it was sent, cut where it is long.</summary>
    static string Echo(string name)
    {
        var shown = string.Concat(name.EnumerateRunes().Take(MaxEcho));
        return shown.Length == name.Length ? shown : shown + "…";
    }
}
