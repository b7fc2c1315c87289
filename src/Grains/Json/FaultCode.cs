namespace Resources.Grains;

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
    public const string InvalidTime = "INVALID_TIME";
    public const string ReadOnly = "READ_ONLY";

    public const string TooManyOperations = "TOO_MANY_OPERATIONS";
    public const string UnknownOperation = "UNKNOWN_OPERATION";
    public const string InvalidPointer = "INVALID_POINTER";
    public const string PathNotFound = "PATH_NOT_FOUND";
    public const string MoveIntoItself = "MOVE_INTO_ITSELF";
    public const string RootRemoved = "ROOT_REMOVED";
    public const string TooLarge = "TOO_LARGE";
    public const string BoundExceeded = "BOUND_EXCEEDED";

    // Of schemas. What a value violates is named by the keyword: MIN_LENGTH, PATTERN, ONE_OF.
    public const string UnknownKeyword = "UNKNOWN_KEYWORD";
    public const string InvalidKeyword = "INVALID_KEYWORD";
    public const string UnsupportedDialect = "UNSUPPORTED_DIALECT";
    public const string RemoteReference = "REMOTE_REFERENCE";
    public const string UnknownReference = "UNKNOWN_REFERENCE";
    public const string EndlessReference = "ENDLESS_REFERENCE";
    public const string UnsupportedPattern = "UNSUPPORTED_PATTERN";
    public const string UnknownFormat = "UNKNOWN_FORMAT";
    public const string TooCostly = "TOO_COSTLY";

    public const string NotUnique = "NOT_UNIQUE";
    public const string ReferenceNotFound = "REFERENCE_NOT_FOUND";
}
